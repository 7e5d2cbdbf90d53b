"""The measurements behind ``scripts/bench``, one module for each subject."""
