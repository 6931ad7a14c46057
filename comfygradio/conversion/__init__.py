"""From ComfyUI's UI format, in which its page saves workflows, to the API format, which is posted.

The answer is the one that the page itself would post, found without a page or a server:
`convert.py` says how. All of it is pure: files and `/object_info` come in as decoded JSON.
"""
