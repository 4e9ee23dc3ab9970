"""What an animator asks for, one file each: Motion in, Motion out. Knows nothing of Blender."""
