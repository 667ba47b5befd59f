"""Workers anywhere, fed by Celery through a broker."""
