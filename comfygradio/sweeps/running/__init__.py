"""Running: a sweep's points on their way through the job queue."""
