"""What a job child can do beside its job, as strace and a child that was taken over see it."""
