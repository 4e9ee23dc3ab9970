"""The only folder that may import bpy or mathutils."""
