"""Redis itself: reached, watched, embedded; and scripts run on it."""
