"""The words of plugin_example in every language."""
