"""Training: whatever needs more than the library does at run time (extra ``train``)."""
