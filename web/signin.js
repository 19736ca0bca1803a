// Signs in with the key typed here, or with the one in the address's fragment, which is taken away at once.
const said = document.getElementById("said");

async function signIn(key) {
  const answer = await fetch("/api/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ key }),
  });
  if (answer.ok) {
    location.reload();
    return;
  }
  said.textContent = (await answer.json()).detail;
}

document.getElementById("signin").addEventListener("submit", (event) => {
  event.preventDefault();
  signIn(document.getElementById("key").value);
});

const given = new URLSearchParams(location.hash.slice(1)).get("key");
if (given) {
  history.replaceState(null, "", location.pathname + location.search);
  signIn(given);
}
