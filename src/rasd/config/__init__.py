"""Settings, URLs, ASGI, the embedded database, the supervisor of processes and the job app's names."""
