"""What keeps runs from starting."""
