// SPDX-License-Identifier: BSL-1.0
#include "cli/command.hpp"
#include "support/catch.hpp"
#include "support/http_record.hpp"
#include "support/http_server.hpp"
#include "support/tus_server.hpp"

#include <algorithm>
#include <csignal>
#include <set>

using namespace waybill::test;
using nlohmann::json;

namespace {

constexpr std::chrono::seconds patience{60};

std::set<std::string> states_of(const command& waybill) {
    std::set<std::string> all;
    for (const json& job : waybill.list()) {
        all.insert(job["state"].get<std::string>());
    }
    return all;
}

}  // namespace

TEST_CASE("run delivers several jobs of several files, by PUT and as forms") {
    const command waybill;
    const receiver server;
    std::vector<std::string> files;
    for (int i = 0; i < 4; ++i) {
        files.push_back(waybill.dir().write("f" + std::to_string(i) + ".bin", random_bytes(i * 700'001, i)));
    }
    waybill.add({"--to", server.url("/files/"), files[0], files[1]});
    waybill.add({"--to", server.url("/posts"), "--via", "multipart", "--field", "caption=x", files[2], files[3]});

    const finished_process done = waybill.run({"run", "--until-idle", "--progress", "none"});
    CHECK(done.status.code == 0);
    CHECK(done.out.empty());
    CHECK(done.err.empty());
    CHECK(states_of(waybill) == std::set<std::string>{"completed"});
    CHECK(server.names().size() == files.size());
    for (int i = 0; i < 4; ++i) {
        CHECK(sha256_of_file(server.received("f" + std::to_string(i) + ".bin")) == sha256_of_file(files[i]));
    }
}

TEST_CASE("list tells what was found to be spoken, and where an upload is; a log of progress tells no upload's URL") {
    const command waybill;
    tus_server server(reads_little());
    server.http.next(script("held").only_for("PATCH").read_body(1'000).hold());
    waybill.add({"--to", server.url(), "--via", "auto", waybill.dir().write("a.bin", random_bytes(beyond_buffers))});
    const std::string log = waybill.dir() / "run.out";
    process running = waybill.start({"run", "--progress", "json"}, log);
    server.http.log().wait_until("an append", [](const http_log::requests& all) {
        return !all.empty() && all.back().method == "PATCH" && all.back().body_bytes >= 1'000;
    });
    running.kill(SIGKILL);
    running.wait(patience);
    const std::string place = server.http.url("/files/1");
    json job = waybill.list().at(0);
    CHECK(job["negotiated_protocol"] == "tus");
    CHECK(job["items"][0]["resource"] == place);
    CHECK_FALSE(job["items"][0].contains("receipt"));
    CHECK_FALSE(read_file(log).empty());
    CHECK(read_file(log).find(place) == std::string::npos);

    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);
    job = waybill.list().at(0);
    CHECK_FALSE(job["items"][0].contains("resource"));
    CHECK(job["items"][0]["receipt"] == place);
}

TEST_CASE("run with nothing to do ends at once and well") {
    const command waybill;
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);
}

TEST_CASE("a job the server refuses makes the exit code 1, and the others arrive") {
    const command waybill;
    http_server server;
    server.next(script("refuse").read_all().answer({403, {}, "not you"}));
    const std::string file = waybill.dir().write("a.bin", "content");
    waybill.add({"--to", server.url("/one/"), "--id", "refused", file});
    waybill.add({"--to", server.url("/two/"), "--id", "taken", file});

    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 1);
    const std::vector<json> jobs = waybill.list();
    CHECK(jobs.at(0)["state"] == "failed");
    CHECK(jobs.at(0)["http_status"] == 403);
    CHECK_THAT(jobs.at(0)["error"].get<std::string>(), Catch::Contains("HTTP 403 Forbidden"));
    CHECK(jobs.at(1)["state"] == "completed");
}

TEST_CASE("a form whose answer is lost stays undecided, exit code 1 of that run, and is sent once") {
    const command waybill;
    http_server server;
    server.next(script("answer lost").read_all().close());
    const std::string file = waybill.dir().write("a.bin", "content");
    waybill.add({"--to", server.url("/posts"), "--via", "multipart", file});

    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 1);
    CHECK(states_of(waybill) == std::set<std::string>{"unknown_outcome"});
    // Running again is no decision, and has nothing to do with it.
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);
    CHECK(server.requests().size() == 1);
}

TEST_CASE("the exit code speaks of this run: what failed before is not counted again") {
    const command waybill;
    http_server server;
    server.next(script("refuse").read_all().answer({403}));
    const std::string file = waybill.dir().write("a.bin", "content");
    const std::vector<std::string> run = {"run", "--until-idle", "--progress", "none"};
    waybill.add({"--to", server.url("/one/"), "--id", "refused", file});
    CHECK(waybill.run(run).status.code == 1);
    CHECK(waybill.run(run).status.code == 0);

    waybill.add({"--to", server.url("/two/"), "--id", "taken", file});
    const finished_process done = waybill.run(run);
    CHECK(done.status.code == 0);
    CHECK(done.err.empty());

    server.next(script("refuse").read_all().answer({403}));
    CHECK(waybill.run({"retry", "refused"}).status.code == 0);
    CHECK(waybill.run(run).status.code == 1);  // it failed anew
}

TEST_CASE("a run without a display tells what failed, in the server's own words, and what can be done") {
    const command waybill;
    http_server server;
    server.next(
        script("refuse").read_all().answer({403, {}, R"({"title":"Forbidden","detail":"Your \u001b[31mquota"})"}));
    waybill.add({"--to", server.url("/one/"), "--id", "trip", waybill.dir().write("a.bin", "content")});
    const finished_process done = waybill.run({"run", "--until-idle", "--progress", "none"});
    CHECK(done.status.code == 1);
    CHECK(done.out.empty());
    const std::vector<std::string> lines = lines_of(done.err);
    REQUIRE(lines.size() == 2);
    CHECK_THAT(lines[0], Catch::StartsWith("waybill: failed trip  ") && Catch::Contains("HTTP 403 Forbidden") &&
                             Catch::Contains("the server says: \"Your ?[31mquota\"") &&
                             Catch::EndsWith("waybill retry trip"));
    CHECK(lines[1] == "waybill: 1 job failed in this run");

    const json job = waybill.list().at(0);
    CHECK(job["server_says"] == "Your \033[31mquota");
    CHECK_THAT(job["message"].get<std::string>(), Catch::EndsWith("waybill retry trip"));
    CHECK(waybill.run({"list", "--json"}).out.find('\033') == std::string::npos);
}

TEST_CASE("a run that has its time ends in time and says what is left") {
    const command waybill;
    http_server server;
    server.next(script("stall").read_body(1000).hold());
    const std::string file = waybill.dir().write("a.bin", random_bytes(3'000'000));
    waybill.add({"--to", server.url("/"), "--id", "slow", file});
    waybill.add({"--to", server.url("/"), "--id", "next", file});
    waybill.add({"--to", "http://127.0.0.1:1/", "--id", "away", "--lane", "other", file});

    const finished_process done = waybill.run({"run", "--until-idle", "--for", "700ms", "--progress", "none"});
    CHECK(done.status.code == 6);
    CHECK(done.out.empty());
    CHECK_THAT(done.err, Catch::Contains("waybill: pending slow") && Catch::Contains("waybill: pending next") &&
                             Catch::Contains("waybill: waiting away") &&
                             Catch::Contains("no connection to the server") &&
                             Catch::EndsWith("waybill: 3 jobs left for the next run\n"));
    CHECK(states_of(waybill) == std::set<std::string>{"pending", "waiting"});

    CHECK(waybill.run({"cancel", "away"}).status.code == 0);
    const finished_process rest = waybill.run({"run", "--until-idle", "--for", "1m", "--progress", "none"});
    CHECK(rest.status.code == 0);
    CHECK(rest.err.empty());
}

TEST_CASE("a run that has much time left ends at once when it is interrupted, or has nothing left to do") {
    const command waybill;
    CHECK(waybill.run({"run", "--until-idle", "--for", "1h", "--progress", "none"}).status.code == 0);
    const std::string out = waybill.dir() / "out";
    process running = waybill.start({"run", "--for", "1h", "--progress", "json"}, out);
    wait_for_text(running, out, [](const std::string& text) { return !lines_of(text).empty(); });
    running.kill(SIGTERM);
    CHECK(running.wait(patience) == exit_status{0, 0});
}

TEST_CASE("a proxy's password comes from the environment") {
    const command waybill;
    http_server proxy;
    waybill.add({"--to", "http://example.test/a.bin", waybill.dir().write("a.bin", "content")});
    std::string url = proxy.url("");
    url.insert(url.find("//") + 2, "me@");
    command_line what = waybill.line({"run", "--until-idle", "--for", "30s", "--progress", "none", "--proxy", url,
                                      "--proxy-password", "PROXY_PASSWORD"});
    const finished_process without = run_process(what);
    CHECK(without.status.code == 2);
    CHECK_THAT(without.err, Catch::Contains("PROXY_PASSWORD") && Catch::Contains("not set"));
    what.env = {{"PROXY_PASSWORD", "secret"}};
    CHECK(run_process(what).status.code == 0);
    REQUIRE(proxy.requests().size() == 1);
    CHECK(proxy.requests()[0].header("Proxy-Authorization") == "Basic bWU6c2VjcmV0");
}

TEST_CASE("how long a server may take is an option of a run") {
    const command waybill;
    http_server server;
    for (int i = 0; i < 20; ++i) {
        server.next(script("silent").read_all().hold());
    }
    waybill.add({"--to", server.url("/"), "--id", "trip", waybill.dir().write("a.bin", "content")});
    const finished_process done =
        waybill.run({"run", "--for", "2s", "--answer-timeout", "200ms", "--progress", "none"});
    CHECK(done.status.code == 6);
    CHECK_THAT(done.err, Catch::Contains("did not respond in time"));
}

TEST_CASE("a run whose time is up has failed when a job has, whatever else is left") {
    const command waybill;
    http_server server;
    server.next(script("refuse").read_all().answer({403}));
    const std::string file = waybill.dir().write("a.bin", "content");
    waybill.add({"--to", server.url("/"), "--id", "refused", file});
    waybill.add({"--to", "http://127.0.0.1:1/", "--id", "away", "--lane", "other", file});
    const finished_process done = waybill.run({"run", "--for", "1s", "--progress", "none"});
    CHECK(done.status.code == 1);
    CHECK_THAT(done.err, Catch::EndsWith("waybill: 1 job failed in this run, 1 job left for the next run\n"));
}

TEST_CASE("Ctrl-C stops in mid-transfer, keeps everything, and the next run completes") {
    const int signal = GENERATE(SIGINT, SIGTERM);
    const command waybill;
    http_server server;
    server.next(script("stall").read_body(100'000).hold());
    const std::string content = random_bytes(3'000'000);
    const std::string file = waybill.dir().write("a.bin", content);
    waybill.add({"--to", server.url("/"), "--id", "interrupted", file});
    waybill.add({"--to", server.url("/"), "--id", "queued", waybill.dir().write("b.bin", "second")});

    process running = waybill.start({"run", "--until-idle", "--progress", "none"}, waybill.dir() / "out");
    server.wait_for_body(1, 100'000);
    running.kill(signal);
    const auto end = running.wait(patience);
    REQUIRE(end);
    CHECK(end->code == 128 + signal);
    CHECK(states_of(waybill) == std::set<std::string>{"pending"});

    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);
    CHECK(states_of(waybill) == std::set<std::string>{"completed"});
    CHECK(server.finished(2).sha256 == sha256(content));
    CHECK(server.finished(3).body == "second");
}

TEST_CASE("Ctrl-C with nothing left to do is no failure") {
    const command waybill;
    const std::string out = waybill.dir() / "out";
    process running = waybill.start({"run", "--progress", "json"}, out);
    wait_for_text(running, out, [](const std::string& text) { return !lines_of(text).empty(); });
    running.kill(SIGINT);
    const auto end = running.wait(patience);
    REQUIRE(end);
    CHECK(*end == exit_status{0, 0});
}

TEST_CASE("a killed run leaves a store that the next run continues from") {
    const command waybill;
    http_server server;
    server.next(script("take the first").read_all().answer({201}));
    server.next(script("stall").read_body(50'000).hold());
    const std::string a = waybill.dir().write("a.bin", random_bytes(10'000));
    const std::string b = waybill.dir().write("b.bin", random_bytes(3'000'000, 2));
    waybill.add({"--to", server.url("/"), a, b});

    const std::string out = waybill.dir() / "out";
    process running = waybill.start({"run", "--until-idle", "--progress", "json"}, out);
    server.wait_for_body(2, 50'000);
    // What a snapshot shows is committed: from here on the first item is not sent again.
    wait_for_text(running, out,
                  [](const std::string& text) { return text.find(R"("state":"completed")") != std::string::npos; });
    running.kill(SIGKILL);
    REQUIRE(running.wait(patience) == exit_status{-1, SIGKILL});

    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);
    REQUIRE(server.requests().size() == 3);
    CHECK(server.requests()[2].target == "/b.bin");
    CHECK(server.finished(3).sha256 == sha256_of_file(b));
}

TEST_CASE("four hundred jobs queued one by one are all delivered, in order") {
    const command waybill;
    http_server server;
    constexpr int jobs = 400;
    std::vector<std::string> ids;
    for (int i = 0; i < jobs; ++i) {
        const std::string name = std::to_string(i);
        ids.push_back(waybill.add({"--to", server.url("/"), waybill.dir().write(name, "content of " + name)}));
    }
    std::vector<std::string> listed;
    for (const json& job : waybill.list()) {
        listed.push_back(job["id"]);
    }
    CHECK(listed == ids);

    command_line run = waybill.line({"run", "--until-idle", "--progress", "none"});
    CHECK(run_process(run, std::chrono::minutes(4)).status.code == 0);
    const http_log::requests got = server.requests();
    REQUIRE(got.size() == jobs);
    for (int i = 0; i < jobs; ++i) {
        const std::string name = std::to_string(i);
        CHECK(got[static_cast<std::size_t>(i)].target == "/" + name);
        CHECK(got[static_cast<std::size_t>(i)].body == "content of " + name);
    }
    CHECK(states_of(waybill) == std::set<std::string>{"completed"});
}
