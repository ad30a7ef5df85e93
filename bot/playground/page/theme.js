// Sets the theme before anything is drawn: a module would come too late.
{
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
}
