"""Where journals and decisions are kept."""
