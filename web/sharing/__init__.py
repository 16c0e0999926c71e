"""Links for others: how owners make them, and what anybody sees who has one, and its password where there is one.

shares    what owners do      visiting  who may come in       signing   what an unlocked page hands out
page      the page            download  its bytes             prepared  its ZIPs, made beforehand
"""
