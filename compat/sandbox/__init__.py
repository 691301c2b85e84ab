"""What of the host a guest may see: mounts, confined path resolution, synthetic files."""
