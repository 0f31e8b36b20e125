"""What Python programs need to work with ferry, a GPU job queue: ferry.worker keeps a model loaded and runs jobs on it."""
