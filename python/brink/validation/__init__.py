"""Predictions beside measurements: how wrong is it?"""
