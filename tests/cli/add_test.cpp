// SPDX-License-Identifier: BSL-1.0
#include "cli/command.hpp"
#include "support/catch.hpp"
#include "support/http_record.hpp"
#include "support/http_server.hpp"

#include <filesystem>
#include <set>

#include <sys/stat.h>

using namespace waybill::test;
using nlohmann::json;

namespace {

unsigned mode_of(const std::string& path) {
    struct stat s {};
    REQUIRE(::stat(path.c_str(), &s) == 0);
    return s.st_mode & 07777U;
}

}  // namespace

TEST_CASE("add prints the job's id, only it, and once") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    const finished_process done = waybill.run({"add", "--to", "http://example.com/", file});

    CHECK(done.status.code == 0);
    CHECK(done.err.empty());
    REQUIRE(lines_of(done.out).size() == 1);
    const std::string id = lines_of(done.out)[0];
    CHECK(done.out == id + "\n");

    const std::vector<json> jobs = waybill.list();
    REQUIRE(jobs.size() == 1);
    CHECK(jobs[0]["id"] == id);
    CHECK(jobs[0]["state"] == "pending");
    CHECK(jobs[0]["size"] == 7);
}

TEST_CASE("add keeps everything it was told") {
    const command waybill;
    const std::string a = waybill.dir().write("a.bin", "12345");
    const std::string b = waybill.dir().write("b.bin", "");
    const std::string id =
        waybill.add({"--to", "http://example.com/posts?token=secret", "--via", "multipart", "--lane", "photos",
                     "--field", "caption=a=b", "--field", "empty=", "--header", "X-Trip: Istanbul", a, b});

    const std::vector<json> jobs = waybill.list();
    REQUIRE(jobs.size() == 1);
    CHECK(jobs[0]["via"] == "multipart");
    CHECK(jobs[0]["lane"] == "photos");
    CHECK(jobs[0]["url"] == "http://example.com/posts?…");
    REQUIRE(jobs[0]["items"].size() == 2);
    CHECK(jobs[0]["items"][0] == json{{"path", a}, {"state", "pending"}, {"sent", 0}, {"size", 5}});
    CHECK(jobs[0]["items"][1] == json{{"path", b}, {"state", "pending"}, {"sent", 0}, {"size", 0}});
}

TEST_CASE("the store may be named behind the subcommand") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    command_line what;
    what.argv = {command_path(), "add", "--to", "http://example.com/", file, "--store", waybill.store()};
    CHECK(run_process(what).status.code == 0);
    CHECK(waybill.list().size() == 1);
}

TEST_CASE("a file's media type is found by its extension, or said") {
    const command waybill;
    http_server server;
    const std::string photo = waybill.dir().write("a.JPG", "content");
    const std::string plain = waybill.dir().write("plain", "content");
    waybill.add({"--to", server.url("/"), photo, plain});
    waybill.add({"--to", server.url("/"), "--content-type", "video/x-mine; v=1", photo});
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);
    REQUIRE(server.requests().size() == 3);
    CHECK(server.requests()[0].header("Content-Type") == "image/jpeg");
    CHECK(server.requests()[1].header("Content-Type") == "application/octet-stream");
    CHECK(server.requests()[2].header("Content-Type") == "video/x-mine; v=1");
}

TEST_CASE("files of one name get names of their own, and all that a form's server needs") {
    const command waybill;
    http_server server;
    const std::string a = waybill.dir().write("100/IMG.jpg", "first");
    const std::string b = waybill.dir().write("101/IMG.jpg", "second");
    waybill.add({"--to", server.url("/d/"), "--name", "100.jpg", "--name", "101.jpg", a, b});
    waybill.add({"--to", server.url("/posts"), "--via", "multipart", "--file-field", "photos[]", a, b});
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);
    REQUIRE(server.requests().size() == 3);
    CHECK(server.requests()[0].target == "/d/100.jpg");
    CHECK(server.requests()[1].target == "/d/101.jpg");
    const std::string form = server.requests()[2].body;
    const auto first = form.find("name=\"photos[]\"; filename=\"IMG.jpg\"");
    REQUIRE(first != std::string::npos);
    CHECK(form.find("name=\"photos[]\"; filename=\"IMG.jpg\"", first + 1) != std::string::npos);
}

TEST_CASE("one file that is gone need not keep the others back") {
    const command waybill;
    http_server server;
    const std::string a = waybill.dir().write("a.bin", "first");
    const std::string b = waybill.dir().write("b.bin", "second");
    waybill.add({"--to", server.url("/"), "--if-file-fails", "go-on", a, b});
    std::filesystem::remove(a);
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 1);
    REQUIRE(server.requests().size() == 1);
    CHECK(server.requests()[0].target == "/b.bin");
    const json job = waybill.list().at(0);
    CHECK(job["items"][0]["state"] == "failed");
    CHECK(job["items"][1]["state"] == "completed");
}

TEST_CASE("of a log that grows, what it held when it was added is sent") {
    const command waybill;
    http_server server;
    const std::string log = waybill.dir().write("a.log", "one\n");
    waybill.add({"--to", server.url("/"), "--append-only", log});
    waybill.dir().write("a.log", "one\ntwo\n");
    CHECK(waybill.run({"run", "--until-idle", "--progress", "none"}).status.code == 0);
    CHECK(server.finished(1).body == "one\n");
}

TEST_CASE("sizes are said with units") {
    const command waybill;
    http_server server;
    const std::string file = waybill.dir().write("a.bin", "content");
    CHECK(waybill.run({"add", "--to", "http://s3.test/b/a", "--via", "s3", "--part-size", "8M", file}).status.code ==
          0);
    // Too small for S3, which counts in units of 1024.
    const finished_process small =
        waybill.run({"add", "--to", "http://s3.test/b/a", "--via", "s3", "--part-size", "5MB", file});
    CHECK(small.status.code == 2);
    CHECK_THAT(small.err, Catch::Contains("part-size = 5000000"));
}

TEST_CASE("a relative path is kept as the absolute one") {
    const command waybill;
    const std::string file = waybill.dir().write("deep/a.bin", "content");
    command_line what = waybill.line({"add", "--to", "http://example.com/", "deep/../deep/a.bin"});
    what.directory = waybill.dir().path();
    REQUIRE(run_process(what).status.code == 0);
    CHECK(waybill.list().at(0)["items"][0]["path"] == file);
}

TEST_CASE("the same id with the same content is accepted once") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    for (int i = 0; i < 2; ++i) {
        const finished_process done = waybill.run({"add", "--to", "http://example.com/", "--id", "trip-1", file});
        CHECK(done.status.code == 0);
        CHECK(done.out == "trip-1\n");
    }
    CHECK(waybill.list().size() == 1);
}

TEST_CASE("the same id with other content is refused, and the first job stays as it was") {
    const command waybill;
    const std::string a = waybill.dir().write("a.bin", "content");
    const std::string b = waybill.dir().write("b.bin", "other");
    REQUIRE(waybill.add({"--to", "http://example.com/", "--id", "trip-1", a}) == "trip-1");
    const std::vector<json> before = waybill.list();

    const std::vector<std::vector<std::string>> others = {
        {"add", "--to", "http://example.com/", "--id", "trip-1", b},
        {"add", "--to", "http://example.com/", "--id", "trip-1", a, b},
        {"add", "--to", "http://example.com/other/", "--id", "trip-1", a},
        {"add", "--to", "http://example.com/", "--id", "trip-1", "--header", "X-A: b", a},
        {"add", "--to", "http://example.com/", "--id", "trip-1", "--via", "multipart", a},
    };
    for (const auto& other : others) {
        const finished_process done = waybill.run(other);
        CHECK(done.status.code == 2);
        CHECK(done.out.empty());
        CHECK_THAT(done.err, Catch::Contains("trip-1") && Catch::Contains("use another id"));
    }
    CHECK(waybill.list() == before);
}

TEST_CASE("jobs without an id of their own get different ones") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    std::set<std::string> ids;
    for (int i = 0; i < 5; ++i) {
        ids.insert(waybill.add({"--to", "http://example.com/", file}));
    }
    CHECK(ids.size() == 5);
    CHECK(waybill.list().size() == 5);
}

TEST_CASE("the default store is in XDG_STATE_HOME, readable by its owner only") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    command_line what;
    what.argv = {command_path(), "add", "--to", "http://example.com/", file};
    what.env = {{"XDG_STATE_HOME", waybill.dir() / "state"}, {"HOME", waybill.dir() / "home"}};
    REQUIRE(run_process(what).status.code == 0);

    CHECK(mode_of(waybill.dir() / "state/waybill") == 0700);
    CHECK(mode_of(waybill.dir() / "state/waybill/uploads.db") == 0600);
    CHECK_FALSE(std::filesystem::exists(waybill.dir() / "home"));
}

TEST_CASE("without a usable XDG_STATE_HOME the default store is in the home directory") {
    const command waybill;
    const std::string file = waybill.dir().write("a.bin", "content");
    for (const std::string useless : {"", "relative/path"}) {
        command_line what;
        what.argv = {command_path(), "add", "--to", "http://example.com/", file};
        what.env = {{"XDG_STATE_HOME", useless}, {"HOME", waybill.dir() / "home"}};
        what.directory = waybill.dir().path();
        REQUIRE(run_process(what).status.code == 0);
        CHECK(std::filesystem::exists(waybill.dir() / "home/.local/state/waybill/uploads.db"));
        CHECK_FALSE(std::filesystem::exists(waybill.dir() / "relative"));
    }
}
