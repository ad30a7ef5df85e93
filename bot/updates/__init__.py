"""Updates on their way in: polled or posted, stored, then confirmed."""
