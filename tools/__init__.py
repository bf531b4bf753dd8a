"""Scripts that make files of this project; run by hand when their sources change."""
