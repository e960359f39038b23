"""Nobody gets in, or stays in, who should not. One module for each question."""
