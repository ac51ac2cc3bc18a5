// SPDX-License-Identifier: BSL-1.0
#include "cli/command.hpp"
#include "cli/terminal.hpp"
#include "support/catch.hpp"
#include "support/http_server.hpp"

#include <algorithm>
#include <map>
#include <set>

using namespace waybill::test;
using nlohmann::json;

namespace {

using names = std::set<std::string>;

names keys_of(const json& object) {
    names all;
    for (const auto& [key, value] : object.items()) {
        all.insert(key);
    }
    return all;
}

/// Every key of `always` and, beyond them, only keys of `sometimes`.
void check_keys(const json& object, const names& always, const names& sometimes = {}) {
    names rest = keys_of(object);
    for (const std::string& key : always) {
        INFO(key);
        CHECK(rest.erase(key) == 1);
    }
    for (const std::string& key : sometimes) {
        rest.erase(key);
    }
    CHECK(rest == names{});
}

const names snapshot_keys = {"version", "total", "started", "sent", "size", "jobs"};
const names job_keys = {"id",      "state", "progress", "sent", "confirmed", "size",
                        "attempt", "error", "lane",     "url",  "via",       "items"};
const names sometimes_keys = {"http_status",   "transport_text", "server_says", "message",        "waiting_for",
                              "not_before_ms", "speed",          "time_left_s", "paused_because", "paused_until_ms"};
const names item_keys = {"path", "state", "sent", "size"};

void check_job(const json& job) {
    check_keys(job, job_keys, sometimes_keys);
    const double progress = job["progress"];
    CHECK(progress >= 0);
    CHECK(progress <= 1);
    CHECK(job["confirmed"].get<std::uint64_t>() <= job["sent"].get<std::uint64_t>());
    CHECK(job["sent"].get<std::uint64_t>() <= job["size"].get<std::uint64_t>());
    std::uint64_t sent = 0;
    std::uint64_t size = 0;
    for (const json& item : job["items"]) {
        check_keys(item, item_keys);
        CHECK(item["sent"].get<std::uint64_t>() <= item["size"].get<std::uint64_t>());
        sent += item["sent"].get<std::uint64_t>();
        size += item["size"].get<std::uint64_t>();
    }
    CHECK(sent == job["sent"]);
    CHECK(size == job["size"]);
}

void check_snapshot(const json& snapshot) {
    check_keys(snapshot, snapshot_keys);
    CHECK(snapshot["sent"].get<std::uint64_t>() <= snapshot["size"].get<std::uint64_t>());
    CHECK(snapshot["started"].get<std::uint64_t>() <= snapshot["total"].get<std::uint64_t>());
    for (const json& job : snapshot["jobs"]) {
        check_job(job);
    }
}

/// A server that, while it stalls, does not let the kernel take a whole file for it.
http_server_options little_ahead() {
    http_server_options how;
    how.receive_buffer = 64 << 10;
    return how;
}

/// The last whole line shows a first job that is neither at its begin nor at its end.
bool is_in_between(const std::string& text) {
    const std::vector<std::string> lines = lines_of(text);
    if (lines.empty()) {
        return false;
    }
    const json last = json::parse(lines.back());
    return !last["jobs"].empty() && last["jobs"][0]["progress"] > 0 && last["jobs"][0]["progress"] < 1;
}

}  // namespace

TEST_CASE("json progress prints a whole snapshot on each line, with the documented keys") {
    const command waybill;
    http_server server(little_ahead());
    valve go;
    server.next(script("stall").read_body(1'000'000).hold(go));
    const std::string a = waybill.dir().write("a.bin", random_bytes(9'000'000));
    const std::string empty = waybill.dir().write("empty.bin", "");
    waybill.add({"--to", server.url("/files/"), "--id", "one", a, empty});
    waybill.add({"--to", server.url("/posts"), "--via", "multipart", "--id", "two", a});

    const std::string out = waybill.dir() / "out";
    process running = waybill.start({"run", "--until-idle", "--progress", "json"}, out);
    wait_for_text(running, out, [](const std::string& text) { return is_in_between(text); });
    go.open();
    CHECK(running.wait(std::chrono::seconds(60)) == exit_status{0, 0});
    const std::string written = read_file(out);
    CHECK(written.back() == '\n');

    std::uint64_t version = 0;
    std::map<std::string, double> progress;
    const std::vector<json> all = json_lines(written);
    for (const json& snapshot : all) {
        check_snapshot(snapshot);
        CHECK(snapshot["version"].get<std::uint64_t>() > version);
        version = snapshot["version"];
        for (const json& job : snapshot["jobs"]) {
            const double now = job["progress"];
            CHECK(now >= progress[job["id"]]);  // one attempt: it only grows
            progress[job["id"]] = now;
        }
    }
    const json& last = all.back();
    CHECK(last["total"] == 2);
    CHECK(last["started"] == 2);
    CHECK(last["sent"] == last["size"]);
    REQUIRE(last["jobs"].size() == 2);
    for (const json& job : last["jobs"]) {
        CHECK(job["state"] == "completed");
        CHECK(job["progress"] == 1);
        CHECK(job["confirmed"] == job["size"]);
        CHECK(job["attempt"] == 1);
        CHECK(job["error"].is_null());
        for (const json& item : job["items"]) {
            CHECK(item["state"] == "completed");
        }
    }
}

TEST_CASE("a job of empty files is at 0 before and at 1 when it is done") {
    const command waybill;
    const receiver server;
    waybill.add({"--to", server.url("/files/"), waybill.dir().write("empty.bin", "")});
    const finished_process done = waybill.run({"run", "--until-idle", "--progress", "json"});
    CHECK(done.status.code == 0);
    for (const json& snapshot : json_lines(done.out)) {
        for (const json& job : snapshot["jobs"]) {
            CHECK(job["progress"] == (job["state"] == "completed" ? 1 : 0));
        }
    }
    CHECK(json_lines(done.out).back()["jobs"][0]["state"] == "completed");
}

TEST_CASE("a failure and its HTTP status are in the JSON line") {
    const command waybill;
    http_server server;
    server.next(script("refuse").read_all().answer({403}));
    waybill.add({"--to", server.url("/"), waybill.dir().write("a.bin", "content")});
    const finished_process done = waybill.run({"run", "--until-idle", "--progress", "json"});
    CHECK(done.status.code == 1);
    const json last = json_lines(done.out).back();
    check_snapshot(last);
    CHECK(last["jobs"][0]["state"] == "failed");
    CHECK(last["jobs"][0]["http_status"] == 403);
    CHECK(last["jobs"][0]["items"][0]["state"] == "failed");
    CHECK(last["jobs"][0]["error"].is_string());
}

TEST_CASE("a file name that is not UTF-8 does not spoil the JSON") {
    const command waybill;
    waybill.add({"--to", "http://example.com/", waybill.dir().write("caf\xE9 \"q\".bin", "content")});
    CHECK_THAT(waybill.list().at(0)["items"][0]["path"].get<std::string>(), Catch::Contains("\"q\".bin"));
}

TEST_CASE("without a terminal the progress is plain lines") {
    const command waybill;
    http_server server(little_ahead());
    valve go;
    server.next(script("stall").read_body(1'000'000).hold(go));
    const std::string a = waybill.dir().write("a.bin", random_bytes(9'000'000));
    const std::string b = waybill.dir().write("b.bin", random_bytes(1000));
    waybill.add({"--to", server.url("/files/"), "--id", "trip", a, b});

    const std::string out = waybill.dir() / "out";
    process running = waybill.start({"run", "--until-idle"}, out);
    wait_for_text(running, out, [](const std::string& text) { return text.find("% of 9.0 MB") != std::string::npos; });
    go.open();
    CHECK(running.wait(std::chrono::seconds(60)) == exit_status{0, 0});
    const std::string written = read_file(out);
    CHECK(written.find('\033') == std::string::npos);
    CHECK(written.find('\r') == std::string::npos);
    const std::vector<std::string> lines = lines_of(written);
    REQUIRE(lines.size() >= 4);
    CHECK_THAT(lines.front(), Catch::StartsWith("uploading trip  to http://127.0.0.1:"));
    CHECK(lines[lines.size() - 2] == "completed trip  2 files, 9.0 MB");
    CHECK(lines.back() == "1 of 1 job done, 9.0 MB of 9.0 MB");
}

TEST_CASE("on a terminal there is a bar for the job and its items, redrawn in place") {
    const command waybill;
    http_server server(little_ahead());
    valve go;
    server.next(script("stall").read_body(1'000'000).hold(go));
    const std::string a = waybill.dir().write("holiday.mov", random_bytes(9'000'000));
    const std::string b = waybill.dir().write("tiny.txt", random_bytes(1000));
    waybill.add({"--to", server.url("/files/"), "--id", "trip", a, b});

    terminal screen(24, 100);
    process running = waybill.start({"run", "--until-idle"}, screen.device());
    screen.read_until(running, [](const std::string& text) { return text.find(" left") != std::string::npos; });
    go.open();
    screen.read_until_end(running);
    CHECK(running.wait(std::chrono::seconds(60)) == exit_status{0, 0});

    // In between: the job's bar, one for each item, and the sum, in this order and once.
    bool seen = false;
    for (const std::vector<std::string>& frame : screen.frames()) {
        if (frame.size() != 4) {
            continue;
        }
        seen = true;
        CHECK_THAT(frame[0], Catch::StartsWith("trip ") && Catch::Contains("▕") && Catch::Contains(" %") &&
                                 Catch::Contains(" / 9.0 MB"));
        CHECK_THAT(frame[1], Catch::StartsWith("  holiday.mov ") && Catch::Contains("▏"));
        CHECK_THAT(frame[2], Catch::StartsWith("  tiny.txt "));
        CHECK_THAT(frame[3], Catch::StartsWith("0 of 1 job done"));
    }
    CHECK(seen);
    CHECK_THAT(screen.written(), Catch::Contains("MB/s") || Catch::Contains("kB/s"));  // as fast as the first look says

    // At the end: what happened, and no rest of a bar.
    const std::vector<std::string> last = screen.frames().back();
    REQUIRE(last.size() == 2);
    CHECK_THAT(last[0], Catch::StartsWith("completed trip  2 files, 9.0 MB"));
    CHECK_THAT(last[1], Catch::StartsWith("1 of 1 job done, 9.0 MB of 9.0 MB"));
}

TEST_CASE("bars fit a narrow terminal, whatever the names are") {
    const command waybill;
    http_server server(little_ahead());
    valve go;
    server.next(script("stall").read_body(1'000'000).hold(go));
    const std::string name = "Göteborg – höst, en mycket lång \"bild\".jpg";
    const std::string file = waybill.dir().write(name, random_bytes(9'000'000));
    waybill.add({"--to", server.url("/files/"), "--id", "a-very-long-name-for-a-job-of-one-picture", file});

    terminal screen(24, 40);
    process running = waybill.start({"run", "--until-idle"}, screen.device());
    screen.read_until(running, [](const std::string& text) { return text.find("Göteborg") != std::string::npos; });
    go.open();
    screen.read_until_end(running);
    CHECK(running.wait(std::chrono::seconds(60)) == exit_status{0, 0});
    CHECK_THAT(screen.written(), Catch::Contains("a-very-long-name-fo…") && Catch::Contains("Göteborg – höst, …"));
    // A bar that took two rows would not be erased whole.
    for (const std::string& row : screen.frames().back()) {
        CHECK_THAT(row, !Catch::Contains("▕"));
    }
}

TEST_CASE("wide names are drawn in the columns that they take") {
    const command waybill;
    http_server server(little_ahead());
    valve go;
    server.next(script("stall").read_body(1'000'000).hold(go));
    const std::string first = waybill.dir().write("日本の夏休みの長い動画の名前.mov", random_bytes(9'000'000));
    const std::string second = waybill.dir().write("👨\u200D👩\u200D👧 e\u0301te\u0301.jpg", "content");
    const std::string third = waybill.dir().write("\u202Egpj.exe", "content");
    waybill.add({"--to", server.url("/files/"), "--id", "trip", first, second, third});

    const unsigned short columns = GENERATE(40, 80, 200);
    CAPTURE(columns);
    terminal screen(24, columns);
    process running = waybill.start({"run", "--until-idle"}, screen.device());
    screen.read_until(running, [](const std::string& text) { return text.find("日本") != std::string::npos; });
    go.open();
    screen.read_until_end(running);
    CHECK(running.wait(std::chrono::seconds(60)) == exit_status{0, 0});

    // The bars of all rows begin in one column, and no row is longer than the terminal: then it would be two.
    bool seen = false;
    for (const std::vector<std::string>& frame : screen.frames()) {
        if (frame.size() != 5) {
            continue;
        }
        seen = true;
        const std::size_t name = columns == 200 ? 48 : 20;
        for (std::size_t i = 0; i < 4; ++i) {
            CHECK_THAT(frame[i], Catch::Contains("▕") && Catch::Contains("▏"));
        }
        const auto before_bar = [&](std::size_t i) { return frame[i].substr(0, frame[i].find(" ▕")); };
        CHECK(before_bar(0) == "trip" + std::string(name - 4, ' '));
        CHECK(before_bar(1) == (columns == 200 ? "  日本の夏休みの長い動画の名前.mov" + std::string(14, ' ')
                                               : std::string("  日本の夏休みの長… ")));
        CHECK(before_bar(2) == "  👨👩👧 e\u0301te\u0301.jpg" + std::string(name - 16, ' '));
        CHECK(before_bar(3) == "  ?gpj.exe" + std::string(name - 10, ' '));
        CHECK_THAT(frame[0], Catch::Contains("%"));
    }
    CHECK(seen);
    CHECK(screen.written().find("\u202E") == std::string::npos);
}

TEST_CASE("a terminal that knows no cursor gets lines") {
    const command waybill;
    http_server server;
    waybill.add({"--to", server.url("/"), "--id", "trip", waybill.dir().write("a.bin", "content")});
    terminal screen(24, 80);
    command_line what = waybill.line({"run", "--until-idle"});
    what.env = {{"TERM", "dumb"}};
    what.out_file = screen.device();
    what.err_file = waybill.dir() / "err";
    process running(what);
    screen.read_until_end(running);
    CHECK(running.wait(std::chrono::seconds(60)) == exit_status{0, 0});
    CHECK(screen.written().find('\033') == std::string::npos);
    CHECK_THAT(screen.written(), Catch::Contains("completed trip  1 file, 7 B"));
}

namespace {

/// Four jobs of three files that are all under way, and a server that takes no more of them until it may.
struct crowd {
    command waybill;
    http_server server{little_ahead()};
    valve go;

    crowd() {
        for (const std::string id : {"one", "two", "three", "four"}) {
            std::vector<std::string> all = {"--to", server.url("/" + id + "/"), "--id", id, "--lane", id};
            for (const std::string name : {"a", "b", "c"}) {
                all.push_back(waybill.dir().write(id + "/" + name, random_bytes(name == "a" ? 3'000'000 : 1000)));
            }
            waybill.add(all);
            server.next(script("stall").read_body(100'000).hold(go));
        }
    }
    [[nodiscard]] process run_on(const terminal& screen) const {
        return waybill.start({"run", "--until-idle"}, screen.device());
    }
};

/// Twice, for the first may have been begun before; after what was waiting to be read.
auto draws_again() {
    return [from = std::size_t{0}, calls = 0](const std::string& text) mutable {
        from = ++calls <= 2 ? text.size() : from;
        const auto first = text.find("jobs done", from);
        return first != std::string::npos && text.find("jobs done", first + 1) != std::string::npos;
    };
}

auto holds(const std::string& what) {
    return [what](const std::string& text) { return text.find(what) != std::string::npos; };
}

}  // namespace

TEST_CASE("more than the terminal has rows for is not drawn, and nothing is left of what was") {
    const unsigned short rows = GENERATE(3, 4, 6, 9, 12, 17);
    CAPTURE(rows);
    crowd all;
    terminal screen(rows, 100);
    process running = all.run_on(screen);
    for (int i = 1; i <= 4; ++i) {
        all.server.wait_for_body(i, 100'000);
    }
    screen.read_until(running, draws_again());
    CHECK_THAT(screen.written(), Catch::Contains(rows == 3 ? "… and 4 more" : rows < 6 ? "… and 3 more" : "four "));
    all.go.open();
    screen.read_until_end(running);
    CHECK(running.wait(std::chrono::seconds(60)) == exit_status{0, 0});

    // A row that is drawn again without having been erased would be there twice.
    const std::vector<std::string> last = screen.frames().back();
    CHECK(last.size() == 5);
    for (const std::string& row : last) {
        CHECK_THAT(row, Catch::StartsWith("completed ") || Catch::StartsWith("4 of 4 jobs done"));
    }
}

TEST_CASE("with room for some of a job's items, it is those around the one that is sent") {
    crowd all;
    terminal screen(14, 100);  // three rows for each job: its own, one item, and which that is
    process running = all.run_on(screen);
    screen.read_until(running, holds("four "));
    all.go.open();
    screen.read_until_end(running);

    bool seen = false;
    for (const std::vector<std::string>& frame : screen.frames()) {
        const auto items = std::count_if(frame.begin(), frame.end(), [](const auto& row) { return row[0] == ' '; });
        if (frame.size() != 13 || items != 8) {
            continue;  // not all four are under way
        }
        seen = true;
        CHECK_THAT(frame[3], Catch::StartsWith("two "));
        CHECK_THAT(frame[4], Catch::StartsWith("  a ") || Catch::StartsWith("  b ") || Catch::StartsWith("  c "));
        CHECK_THAT(frame[5], Catch::StartsWith("  item " + std::to_string(frame[4][2] - 'a' + 1) + " of 3 items"));
    }
    CHECK(seen);
}

TEST_CASE("a terminal that becomes lower gets less drawn from then on") {
    crowd all;
    terminal screen(24, 100);
    process running = all.run_on(screen);
    screen.read_until(running, holds("four "));
    CHECK_THAT(screen.written(), !Catch::Contains(" more"));
    screen.resize(4, 100);
    screen.read_until(running, draws_again());
    CHECK_THAT(screen.written(), Catch::Contains("… and 3 more"));
}
