"""Scores, looked up by the public: exams, their results, and the releases that make them public."""
