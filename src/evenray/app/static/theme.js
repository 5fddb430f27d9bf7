// Before the page is painted: the theme that was chosen, else the system's.
const theme = localStorage.getItem("evenray-theme");
if (theme) document.documentElement.dataset.theme = theme;
