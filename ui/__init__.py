"""What the page shows: text that is safe to show, and its looks. Knows nothing of Gradio."""
