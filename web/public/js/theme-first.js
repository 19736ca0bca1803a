/* Sets the chosen colours before anything is painted; a classic script, so that it runs at once. */
try {
  const chosen = localStorage.getItem("campanha-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  /* Storage may be forbidden: then the system's colours it is. */
}
