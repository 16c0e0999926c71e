"""Pictures made small. Stored bytes are hostile: only the process of __main__.py decodes them, and it is expendable.

worker    that process from our side: fed, waited for, ended
cache     small pictures on disk
"""
