"""Where telemetry leaves the process: exporters, and the pipeline that owns the OpenTelemetry SDK."""
