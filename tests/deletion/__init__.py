"""What delete and terminate list, refuse, delete and leave."""
