"""Scripts that generate files of this project; run them when their sources change."""
