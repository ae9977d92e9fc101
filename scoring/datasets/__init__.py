"""Any data set through the pipeline's own learner, calibration, evaluation and gate; `cshub evaluate` is its face."""
