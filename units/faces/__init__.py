"""How a unit shows itself: its facts, its editorial board, its colour and its logo."""
