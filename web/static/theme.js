// The reader's choice of light or dark, before the first paint. A script of its own, as modules run after it.
document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "auto";
