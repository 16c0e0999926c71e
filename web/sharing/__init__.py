"""What anybody sees who has the link to a share, and its password where there is one.

visiting  who may come in      signing  what an unlocked page hands out
page      the page             download its bytes
"""
