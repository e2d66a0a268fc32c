"""Measurements of other tools and of Brink's own kernels, brought into the form that the fits read."""
