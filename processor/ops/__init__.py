"""What operators touch: settings, metrics, health and logs."""
