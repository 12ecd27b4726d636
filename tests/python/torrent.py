"""Makes an archive's torrents and has libtorrent take them: torrent.py DAYLIGHT ARCHIVE WORK

Of each torrent the archive's own files are hashed and found whole; then it is downloaded into WORK/got from a web seed on loopback, with nobody else
to ask. Prints a line for each torrent and each step.
"""
import functools, http.server, os, subprocess, sys, threading, time
import libtorrent as lt

DAYLIGHT, ARCHIVE, WORK = sys.argv[1:]
BASE = "/some/where/"

class Server(http.server.BaseHTTPRequestHandler):
    """The archive as any web server has it: files under a path, and ranges of them (RFC 9110 section 14)."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = os.path.join(ARCHIVE, self.path[len(BASE):])
        if not self.path.startswith(BASE) or ".." in self.path or not os.path.isfile(path):
            self.send_error(404)
            return
        size = os.path.getsize(path)
        first, last, status = 0, size - 1, 200
        if asked := self.headers.get("Range"):
            first, last = (int(number) for number in asked.removeprefix("bytes=").split("-"))
            last, status = min(last, size - 1), 206
        with open(path, "rb") as file:
            file.seek(first)
            body = file.read(last - first + 1)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 206: self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words): pass

def run(torrent, folder):
    """Adds a torrent, and waits until all of it is there and right."""
    session = lt.session({"enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
                          "listen_interfaces": "127.0.0.1:0", "alert_mask": lt.alert.category_t.all_categories})
    wanted = lt.load_torrent_file(torrent)
    wanted.save_path = folder
    wanted.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    handle = session.add_torrent(wanted)
    end, said = time.monotonic() + 120, []
    while not handle.status().is_seeding:
        if time.monotonic() > end: sys.exit(f"{torrent} was not completed: {handle.status().state}\n" + "\n".join(said[-20:]))
        session.wait_for_alert(500)
        for alert in session.pop_alerts():
            if isinstance(alert, (lt.torrent_error_alert, lt.hash_failed_alert, lt.file_error_alert)): sys.exit(f"{torrent}: {alert.message()}")
            said.append(alert.message())
    status = handle.status()
    session.remove_torrent(handle)
    return wanted.ti, status

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
seed = f"http://127.0.0.1:{server.server_address[1]}{BASE}"
torrents = os.path.join(WORK, "torrents")
subprocess.run([DAYLIGHT, "export", ARCHIVE, "--to", torrents, "--format", "torrent", "--web-seed", seed.rstrip("/")], check=True, stdout=subprocess.DEVNULL)
for name in sorted(os.listdir(torrents)):
    path = os.path.join(torrents, name)
    info, there = run(path, ARCHIVE)
    hashes = info.info_hashes()
    assert hashes.has_v1() and hashes.has_v2(), "not of both versions"
    assert there.total_payload_download == 0, "something was downloaded that was there"
    print("whole", name, hashes.v1, hashes.v2)
    _, got = run(path, os.path.join(WORK, "got"))
    assert got.total_payload_download > 0 and got.num_peers <= 1, "not from the web seed alone"
    print("downloaded", name, got.total_payload_download)
