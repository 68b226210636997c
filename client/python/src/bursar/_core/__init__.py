"""What the client is made of. Import from `bursar`: nothing in here is promised."""
