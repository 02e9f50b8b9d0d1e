// The choice of light or dark that was made in the admin, before the page is drawn.
(() => {
  let choice = null;
  try { choice = JSON.parse(localStorage.getItem("_x_adminTheme") || "null"); } catch { choice = null; }
  if (choice === "dark" || choice === "light") document.documentElement.dataset.theme = choice;
})();
