"""One Unicorn engine set up as a user-mode CPU."""
