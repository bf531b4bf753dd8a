"""The drawing of an environment: boxes, the flows that its rules and roles allow, their places, and the SVG.

Nothing in the drawing is written by hand: boxes come from resources, network flows from security groups and route tables, and grants
from the policies of roles. The places of the boxes are a grid, because the layout that AWS uses is one: tiers by zones, with
services beside them. Graphviz routes the lines around the boxes.
"""
