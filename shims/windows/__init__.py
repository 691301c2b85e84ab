"""The Windows guest: a Linux process whose program is the runtime."""
