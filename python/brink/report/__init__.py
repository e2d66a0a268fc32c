"""The report: one self-contained HTML page of a run, readable without a network."""

from brink.report.page import render, write_report

__all__ = ["render", "write_report"]
