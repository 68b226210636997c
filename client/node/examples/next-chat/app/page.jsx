"use client";
import { useState } from "react";

export default function Chat() {
  const [lines, setLines] = useState([]);
  const [status, setStatus] = useState("");
  const append = (text) => setLines((all) => [...all.slice(0, -1), (all.at(-1) ?? "") + text]);

  async function ask(form) {
    const message = form.get("message");
    setLines((all) => [...all, `You: ${message}`, ""]);
    const response = await fetch("/api/chat", { method: "POST", headers: { "x-user": "web-demo" }, body: JSON.stringify({ message }) });
    if (!response.ok) return setStatus((await response.json()).error.message);
    setStatus("");
    let text = "";
    for (const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) show(text.slice(0, end));
    }
  }

  function show(block) {
    const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(block);
    const { text, position } = JSON.parse(data);
    if (event === "text") append(text);
    if (event === "queued") setStatus(`Number ${position} in the queue`);
    else if (event === "warning" || event === "error") setStatus(text);
    else setStatus("");
  }

  return <main>
    <h1>Chat</h1>
    {lines.map((line, index) => <p key={index}>{line}</p>)}
    <p role="status">{status}</p>
    <form action={ask}><input name="message" aria-label="Message" required /> <button>Send</button></form>
  </main>;
}
