// SPDX-License-Identifier: BSL-1.0
#include "cli/command.hpp"
#include "support/catch.hpp"
#include "support/http_server.hpp"
#include "support/tus_server.hpp"

#include <chrono>
#include <csignal>
#include <set>
#include <string>
#include <vector>

using namespace waybill::test;
using nlohmann::json;

TEST_CASE("list shows a line for each job, in the order they were added") {
    const command waybill;
    CHECK(waybill.run({"list"}).out.empty());
    const std::string a = waybill.dir().write("a.bin", std::string(1500, 'a'));
    const std::string b = waybill.dir().write("b.bin", "content");
    waybill.add({"--to", "http://example.com/first/", "--id", "job-1", a});
    waybill.add({"--to", "http://example.com/second/", "--id", "job-2", a, b});

    const finished_process done = waybill.run({"list"});
    CHECK(done.status.code == 0);
    const std::vector<std::string> lines = lines_of(done.out);
    REQUIRE(lines.size() == 2);
    CHECK_THAT(lines[0], Catch::StartsWith("job-1 ") && Catch::Contains("pending") && Catch::Contains("1.5 kB") &&
                             Catch::EndsWith("http://example.com/first/"));
    CHECK_THAT(lines[1], Catch::StartsWith("job-2 "));
}

TEST_CASE("list shows an id whole, however long it is, for the next command needs it") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    const std::string longest(128, 'x');
    waybill.add({"--to", "http://example.com/", "--id", longest, file});
    waybill.add({"--to", "http://example.com/", "--id", "trip", file});
    const std::vector<std::string> lines = lines_of(waybill.run({"list"}).out);
    REQUIRE(lines.size() == 2);
    CHECK_THAT(lines[0], Catch::StartsWith(longest + "  pending "));
    CHECK_THAT(lines[1], Catch::StartsWith("trip" + std::string(126, ' ') + "pending "));
    CHECK(waybill.run({"cancel", lines[0].substr(0, lines[0].find(' '))}).status.code == 0);
}

TEST_CASE("list and show say why a job failed, in the server's own words") {
    const command waybill;
    http_server server;
    server.next(script("refuse").read_all().answer({413, {}, "<html><title>At most 5 MB, please</title>"}));
    const std::string file = waybill.dir().write("a.bin", "content");
    waybill.add({"--to", server.url("/"), "--id", "trip", file});
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 1);

    const std::string why = "the server says: \"At most 5 MB, please\"; to send it after all: waybill retry trip";
    const std::vector<std::string> listed = lines_of(waybill.run({"list"}).out);
    REQUIRE(listed.size() == 2);
    CHECK_THAT(listed[0], Catch::StartsWith("trip ") && Catch::Contains("failed"));
    CHECK_THAT(listed[1], Catch::StartsWith("    HTTP 413 Content Too Large: it is too large for this server; ") &&
                              Catch::EndsWith(why));

    const finished_process shown = waybill.run({"show", "trip"});
    CHECK(shown.status.code == 0);
    CHECK_THAT(shown.out, Catch::StartsWith("trip  failed\n") && Catch::Contains(why) && Catch::Contains(file) &&
                              Catch::Contains("attempt"));
    const json job = json_lines(waybill.run({"show", "trip", "--json"}).out).at(0);
    CHECK(job == waybill.list().at(0));
    CHECK(job["server_says"] == "At most 5 MB, please");
    CHECK(job["error"] == "HTTP 413 Content Too Large");
}

TEST_CASE("list says what a waiting job waits for") {
    const command waybill;
    waybill.add({"--to", "http://127.0.0.1:1/", "--id", "away", waybill.dir().write("a.bin", "content")});
    CHECK(waybill.run({"run", "--for", "500ms", "--progress", "none"}).status.code == 6);
    const std::vector<std::string> listed = lines_of(waybill.run({"list"}).out);
    REQUIRE(listed.size() == 2);
    CHECK_THAT(listed[0], Catch::Contains("waiting"));
    CHECK_THAT(listed[1], Catch::Contains("; tried again ") && Catch::Contains(": no connection to the server"));
}

TEST_CASE("a canceled job is not sent") {
    const command waybill;
    http_server server;
    const std::string file = waybill.dir().write("a.bin", "content");
    waybill.add({"--to", server.url("/kept/"), "--id", "kept", file});
    waybill.add({"--to", server.url("/dropped/"), "--id", "dropped", file});

    CHECK(waybill.run({"cancel", "dropped"}).status.code == 0);
    CHECK(waybill.list().at(1)["state"] == "canceled");
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);

    REQUIRE(server.requests().size() == 1);
    CHECK(server.requests()[0].target == "/kept/a.bin");
    CHECK(waybill.list().at(0)["state"] == "completed");
    CHECK(waybill.list().at(1)["state"] == "canceled");
}

TEST_CASE("what the server has of a canceled job is cleaned up before run --until-idle ends") {
    const command waybill;
    tus_server server;
    server.rate = 200'000;
    const std::string file = waybill.dir().write("a.bin", random_bytes(2'000'000));
    const std::string id = waybill.add({"--to", server.url(), "--via", "tus", file});
    const std::string out = waybill.dir() / "out";
    process run = waybill.start({"run", "--progress", "none"}, out);
    server.http.log().wait_until("a part of it", [](const http_log::requests& all) {
        return !all.empty() && all.back().method == "PATCH" && all.back().body_bytes > 0;
    });
    run.kill(SIGKILL);
    REQUIRE(run.wait(std::chrono::seconds(20)));
    REQUIRE(server.uploads().size() == 1);

    CHECK(waybill.run({"cancel", id}).status.code == 0);
    CHECK(server.uploads().size() == 1);
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);
    CHECK(server.uploads().empty());
}

TEST_CASE("a canceled job is sent after all when it is retried") {
    const command waybill;
    http_server server;
    const std::string file = waybill.dir().write("a.bin", "content");
    const std::string id = waybill.add({"--to", server.url("/"), file});
    CHECK(waybill.run({"cancel", id}).status.code == 0);
    CHECK(waybill.run({"retry", id}).status.code == 0);
    CHECK(waybill.list().at(0)["state"] == "pending");
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);
    CHECK(server.requests().size() == 1);
}

TEST_CASE("a failed job that is retried sends its file as it is now") {
    const command waybill;
    http_server server;
    server.next(script("refuse").read_all().answer({403}));
    const std::string file = waybill.dir().write("a.bin", "first");
    const std::string id = waybill.add({"--to", server.url("/"), file});
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 1);

    waybill.dir().write("a.bin", "second");
    CHECK(waybill.run({"retry", id}).status.code == 0);
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);
    CHECK(server.finished(2).body == "second");
    CHECK(waybill.list().at(0)["state"] == "completed");
}

TEST_CASE("a removed job is forgotten; only finished ones can be") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    const std::string id = waybill.add({"--to", "http://example.com/", file});

    const finished_process early = waybill.run({"remove", id});
    CHECK(early.status.code == 2);
    CHECK_THAT(early.err, Catch::Contains(id) && Catch::Contains("status does not allow this"));

    CHECK(waybill.run({"cancel", id}).status.code == 0);
    CHECK(waybill.run({"remove", id}).status.code == 0);
    CHECK(waybill.list().empty());
}

TEST_CASE("a completed job can be neither canceled nor retried") {
    const command waybill;
    http_server server;
    const std::string file = waybill.dir().write("a.bin", "content");
    const std::string id = waybill.add({"--to", server.url("/"), file});
    REQUIRE(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);
    for (const std::string verb : {"cancel", "retry"}) {
        const finished_process done = waybill.run({verb, id});
        CHECK(done.status.code == 2);
        CHECK_THAT(done.err, Catch::Contains("status does not allow this"));
    }
    CHECK(waybill.list().at(0)["state"] == "completed");
}

TEST_CASE("a paused job is left by a run, says why, and goes on when it is resumed") {
    const command waybill;
    http_server server;
    const std::string file = waybill.dir().write("a.bin", "content");
    waybill.add({"--to", server.url("/"), "--id", "trip", file});
    CHECK(waybill.run({"pause", "trip", "--for", "1h", "--why", "the meeting"}).status.code == 0);
    const finished_process done = waybill.run({"run", "--until-idle", "--progress", "none"});
    CHECK(done.status.code == 6);
    CHECK_THAT(done.err, Catch::Contains("1 job left for the next run"));
    CHECK(server.log().connections() == 0);
    const json paused = waybill.list().at(0);
    CHECK(paused["state"] == "paused");
    CHECK(paused["paused_because"] == "the meeting");
    CHECK(paused.contains("paused_until_ms"));
    const std::string shown = waybill.run({"show", "trip"}).out;
    CHECK_THAT(shown, Catch::Contains("(the meeting); to go on: waybill resume trip"));
    CHECK(waybill.run({"resume", "trip"}).status.code == 0);
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);
    CHECK(waybill.list().at(0)["state"] == "completed");
    CHECK(waybill.run({"pause", "trip"}).status.code == 2);
}

TEST_CASE("a lane that is paused is left by a run, which says so, and goes on when it is resumed") {
    const command waybill;
    http_server server;
    const std::string file = waybill.dir().write("a.bin", "content");
    waybill.add({"--to", server.url("/"), "--id", "photo", "--lane", "photos", file});
    waybill.add({"--to", server.url("/"), "--id", "log", "--lane", "logs", file});
    CHECK(waybill.run({"pause", "--lane", "photos", "--for", "1h", "--why", "roaming"}).status.code == 0);
    const finished_process done = waybill.run({"run", "--until-idle", "--progress", "none"});
    CHECK(done.status.code == 6);
    CHECK_THAT(done.err, Catch::Contains("1 job left for the next run"));
    CHECK_THAT(done.err, Catch::Contains("lane 'photos' is paused for") &&
                             Catch::Contains("(roaming); to go on: waybill resume --lane 'photos'"));
    CHECK(waybill.list().at(0)["state"] == "pending");
    CHECK(waybill.list().at(1)["state"] == "completed");
    CHECK_THAT(waybill.run({"list"}).out, Catch::Contains("lane 'photos' is paused"));
    CHECK(waybill.run({"resume", "--lane", "photos"}).status.code == 0);
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);
    CHECK(waybill.list().at(0)["state"] == "completed");
}

TEST_CASE("everything that is paused rests until it is resumed") {
    const command waybill;
    http_server server;
    const std::string file = waybill.dir().write("a.bin", "content");
    waybill.add({"--to", server.url("/"), "--id", "one", file});
    CHECK(waybill.run({"pause", "--all"}).status.code == 0);
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 6);
    CHECK(server.log().connections() == 0);
    CHECK(waybill.run({"resume", "--all"}).status.code == 0);
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);
}

TEST_CASE("the command explains everything that keeps a job from running") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    waybill.add({"--to", "http://127.0.0.1:9/", "--id", "one", "--lane", "photos", file});
    waybill.add({"--to", "http://127.0.0.1:9/", "--id", "two", "--lane", "photos", file});
    CHECK(waybill.run({"explain", "one"}).out == "nothing is sent while no waybill run is running\n");
    waybill.run({"pause", "--lane", "photos", "--why", "roaming"});
    waybill.run({"pause", "one", "--for", "1h"});
    const std::string one = waybill.run({"explain", "one"}).out;
    CHECK_THAT(one, Catch::StartsWith("it is paused; until 20"));
    CHECK_THAT(one, Catch::EndsWith("\npaused: lane 'photos': roaming\n"));
    waybill.run({"resume", "one"});
    CHECK_THAT(waybill.run({"explain", "two"}).out, Catch::Contains("\n1 job of its lane to its host before it\n"));
    CHECK_THAT(waybill.run({"explain", "two", "--json"}).out, Catch::StartsWith("{\"gate\":\"held\","));
    CHECK(waybill.run({"explain", "nobody"}).status.code == 2);
    waybill.run({"cancel", "one"});
    CHECK(waybill.run({"explain", "one"}).out == "nothing keeps it: it is canceled\n");
}

TEST_CASE("limits are kept in the store, shown, obeyed by a run, and removed") {
    const command waybill;
    http_server server;
    const std::string file = waybill.dir().write("a.bin", "content");
    waybill.add({"--to", server.url("/"), "--id", "one", "--lane", "slow", file});
    CHECK(waybill.run({"limit"}).out == "nothing is limited\n");
    CHECK(waybill.run({"limit", "10M"}).status.code == 0);
    CHECK(waybill.run({"limit", "stop", "--lane", "slow"}).status.code == 0);
    CHECK(waybill.run({"limit", "08:00,1M 18:00,off", "--host", "Backup.example.com"}).status.code == 0);
    CHECK(waybill.run({"limit"}).out ==
          "everything  10M\nhost backup.example.com  08:00,1M 18:00,off\nlane 'slow'  stop\n");
    CHECK(waybill.run({"run", "--until-idle", "--for", "1s", "--progress", "none"}).status.code != 0);
    CHECK(server.requests().empty());
    CHECK(waybill.run({"limit", "default", "--lane", "slow"}).status.code == 0);
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);
    CHECK(waybill.list().at(0)["state"] == "completed");
}

TEST_CASE("a limit that is none is refused with the place of the mistake, and the old one stays") {
    const command waybill;
    CHECK(waybill.run({"limit", "1M"}).status.code == 0);
    const finished_process done = waybill.run({"limit", "08:00,fast"});
    CHECK(done.status.code == 2);
    CHECK_THAT(done.err, Catch::Contains("'fast' at character 7 is not a rate"));
    CHECK(waybill.run({"limit", "1M", "--lane", "a", "--host", "b"}).status.code == 2);
    CHECK(waybill.run({"limit", "1K", "--host", ""}).status.code == 2);
    CHECK(waybill.run({"limit"}).out == "everything  1M\n");
}

TEST_CASE("what is to be paused is one job, one lane or all, and nothing else") {
    const command waybill;
    for (const std::string verb : {"pause", "resume"}) {
        CHECK(waybill.run({verb}).status.code == 2);
        CHECK(waybill.run({verb, "trip", "--all"}).status.code == 2);
        CHECK(waybill.run({verb, "--lane", "a", "--all"}).status.code == 2);
    }
}

TEST_CASE("an unknown job is named as such") {
    const command waybill;
    for (const std::string verb : {"cancel", "retry", "remove", "show", "pause", "resume"}) {
        const finished_process done = waybill.run({verb, "nobody"});
        CHECK(done.status.code == 2);
        CHECK(done.out.empty());
        CHECK_THAT(done.err, Catch::Contains("nobody") && Catch::Contains("no job with this id") &&
                                 Catch::Contains("waybill list"));
    }
}

TEST_CASE("an undecided job is resolved by its owner: it has arrived, is sent again, or is given up") {
    const command waybill;
    http_server server;
    const std::string file = waybill.dir().write("a.bin", "content");
    for (const std::string id : {"has-it", "send-it", "drop-it"}) {
        waybill.add({"--to", server.url("/posts"), "--via", "multipart", "--lane", id, "--id", id, file});
        server.next(script("answer lost").read_all().close());
    }
    const std::vector<std::string> run = {"run", "--until-idle", "--progress", "none"};
    CHECK(waybill.run(run).status.code == 1);
    const auto state_of = [&](const std::string& id) {
        for (const json& job : waybill.list()) {
            if (job["id"] == id) {
                return job["state"].get<std::string>();
            }
        }
        return std::string("none");
    };
    CHECK(state_of("has-it") == "unknown_outcome");

    CHECK(waybill.run({"resolve", "has-it", "completed"}).status.code == 0);
    CHECK(waybill.run({"resolve", "send-it", "retry"}).status.code == 0);
    CHECK(waybill.run({"resolve", "drop-it", "canceled"}).status.code == 0);
    CHECK(state_of("has-it") == "completed");
    CHECK(state_of("send-it") == "pending");
    CHECK(state_of("drop-it") == "canceled");

    CHECK(waybill.run(run).status.code == 0);
    CHECK(state_of("send-it") == "completed");
    REQUIRE(server.requests().size() == 4);
    // The endpoint can tell that it is the same post.
    std::multiset<std::string> keys;
    for (const received_request& r : server.requests()) {
        keys.insert(r.header("Idempotency-Key"));
    }
    CHECK(keys.count(server.requests()[3].header("Idempotency-Key")) == 2);
}

TEST_CASE("only an undecided job can be resolved, and only in the ways there are") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    waybill.add({"--to", "http://example.com/", "--id", "queued", file});
    const finished_process not_undecided = waybill.run({"resolve", "queued", "completed"});
    CHECK(not_undecided.status.code == 2);
    CHECK_THAT(not_undecided.err, Catch::Contains("queued is pending"));
    const finished_process unknown = waybill.run({"resolve", "nobody", "retry"});
    CHECK(unknown.status.code == 2);
    CHECK_THAT(unknown.err, Catch::Contains("nobody"));
    CHECK(waybill.run({"resolve", "queued", "maybe"}).status.code == 2);
    CHECK(waybill.run({"resolve", "queued"}).status.code == 2);
    CHECK(waybill.list().at(0)["state"] == "pending");
}
