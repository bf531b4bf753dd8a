"""Parts that several commands share: options, targets, progress, previews, and what an embedded launch needs."""
