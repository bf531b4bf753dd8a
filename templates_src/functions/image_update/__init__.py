"""Update the image of the function's environment."""
