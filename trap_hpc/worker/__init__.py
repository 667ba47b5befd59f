"""What a job script starts: identity check, lease, connection, work, end."""
