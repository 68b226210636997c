export const metadata = { title: "Chat" };

export default function Layout({ children }) {
  return <html lang="en"><body style={{ fontFamily: "sans-serif", maxWidth: "40em", margin: "2em auto" }}>{children}</body></html>;
}
