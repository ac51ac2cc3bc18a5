// SPDX-License-Identifier: BSL-1.0
#include <waybill/error.hpp>
#include <waybill/protocol/s3_credentials.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <cstdlib>
#include <map>
#include <string>

#include <sys/stat.h>

// Where keys for S3 come from when an app gives none.
namespace waybill::test {
namespace {

/// The variables that the AWS tools look at: these, for the time of a test.
class aws_environment {
public:
    explicit aws_environment(const std::map<std::string, std::string>& now) {
        for (const char* const name :
             {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION",
              "AWS_DEFAULT_REGION", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "HOME"}) {
            const char* const value = std::getenv(name);
            before_[name] = value == nullptr ? "" : value;
            set(name, now.count(name) == 1 ? now.at(name) : "");
        }
    }
    aws_environment(const aws_environment&) = delete;
    aws_environment& operator=(const aws_environment&) = delete;
    ~aws_environment() {
        for (const auto& [name, value] : before_) {
            set(name, value);
        }
    }

private:
    static void set(const std::string& name, const std::string& value) {
        if (value.empty()) {
            ::unsetenv(name.c_str());
        } else {
            ::setenv(name.c_str(), value.c_str(), 1);
        }
    }

    std::map<std::string, std::string> before_;
};

const std::string pair = "aws_access_key_id = one\naws_secret_access_key = two\n";

std::string where_it_looked(const std::string& profile) {
    try {
        static_cast<void>(require_s3_credentials("", profile));
    } catch (const error& e) {
        CHECK(e.code() == errc::no_credentials);
        return e.details().detail;
    }
    return "found";
}

}  // namespace

TEST_CASE("a profile's keys are found in a credentials file", "[s3]") {
    const std::string file =
        "# comment\n[default]\naws_access_key_id = one\r\naws_secret_access_key=two==\n\n[ other ]\n"
        "aws_access_key_id=three\n;aws_secret_access_key=no\naws_secret_access_key = four\naws_session_token=five\n"
        "region=eu-west-1\nstray\n[half]\naws_access_key_id=six\n[broken\naws_secret_access_key=seven";
    const auto first = find_s3_profile(file, "default");
    REQUIRE(first);
    CHECK(first->access_key == "one");
    CHECK(first->secret_key == "two==");
    CHECK(first->session_token.empty());
    const auto second = find_s3_profile(file, "other");
    REQUIRE(second);
    CHECK(second->secret_key == "four");
    CHECK(second->session_token == "five");
    CHECK(second->region == "eu-west-1");
    CHECK_FALSE(find_s3_profile(file, "half"));
    CHECK_FALSE(find_s3_profile(file, "broken"));
    CHECK_FALSE(find_s3_profile(file, ""));
    CHECK_FALSE(find_s3_profile("", "default"));
}

TEST_CASE("credentials files are read as the AWS tools read them", "[s3]") {
    const std::string file = GENERATE_COPY(
        "[default] # mine\n" + pair, "[default]; mine\n" + pair, "\xEF\xBB\xBF[default]\n" + pair,
        "[default]\r\naws_access_key_id = one\r\naws_secret_access_key = two\r\n",
        "[default]\nAWS_ACCESS_KEY_ID=one\nAws_Secret_Access_Key=two\n",
        "[default]\naws_access_key_id: one\naws_secret_access_key:two\n",
        "[default]\n  aws_access_key_id = one\n  aws_secret_access_key = two\n",
        "[default]\naws_access_key_id = one # the key\naws_secret_access_key = two\t; its secret\n",
        "[profile default]\n" + pair, "[profile \"default\"]\n" + pair, "[ profile   default ]\n" + pair,
        // What is indented further belongs to the setting before it.
        "[default]\ns3 =\n  aws_access_key_id = three\n  region = x\n" + pair,
        "[default]\n" + pair + "  aws_secret_access_key = three\n", "[other]\naws_access_key_id=3\n[default]\n" + pair,
        "[default]\n" + pair + "[other]\naws_access_key_id=3\naws_secret_access_key=4\n");
    CAPTURE(file);
    const auto found = find_s3_profile(file, "default");
    REQUIRE(found);
    CHECK(found->access_key == "one");
    CHECK(found->secret_key == "two");
    CHECK(found->region.empty());
}

TEST_CASE("a secret may have the marks of comments and settings in it", "[s3]") {
    const auto found = find_s3_profile("[p]\naws_access_key_id=a#b\naws_secret_access_key=c;d=e:f#g\n", "p");
    REQUIRE(found);
    CHECK(found->access_key == "a#b");
    CHECK(found->secret_key == "c;d=e:f#g");
}

TEST_CASE("keys come from the environment, the credentials file, the config file, in this order", "[s3]") {
    const temp_dir dir;
    dir.write(".aws/credentials", "[default]\n" + pair);
    dir.write(".aws/config",
              "[default]\nregion = eu-west-1\n[profile there]\nregion=eu-west-2\naws_access_key_id=3\n"
              "aws_secret_access_key=4\n");
    std::map<std::string, std::string> now = {{"HOME", dir.path().string()}};
    {
        const aws_environment set(now);
        CHECK(default_s3_credentials("", "")->access_key == "one");
        CHECK(default_s3_credentials("", "")->region == "eu-west-1");
        CHECK(default_s3_credentials("", "there")->access_key == "3");
        CHECK(default_s3_credentials("", "there")->region == "eu-west-2");
    }
    now["AWS_PROFILE"] = "there";
    {
        const aws_environment set(now);
        CHECK(default_s3_credentials("", "")->access_key == "3");
        CHECK(default_s3_credentials("", "default")->access_key == "one");
    }
    now["AWS_ACCESS_KEY_ID"] = "five";
    now["AWS_SECRET_ACCESS_KEY"] = "six";
    now["AWS_DEFAULT_REGION"] = "eu-west-3";
    {
        const aws_environment set(now);
        CHECK(default_s3_credentials("", "")->access_key == "five");
        CHECK(default_s3_credentials("", "")->region == "eu-west-3");
        CHECK(default_s3_credentials("", "there")->access_key == "3");
    }
    now["AWS_REGION"] = "eu-north-1";
    now["AWS_SHARED_CREDENTIALS_FILE"] = dir.write("another", "[x]\n" + pair);
    const aws_environment set(now);
    CHECK(default_s3_credentials("", "x")->access_key == "one");
    CHECK(default_s3_credentials("", "x")->region == "eu-north-1");
}

TEST_CASE("who finds no keys says where it looked", "[s3]") {
    const temp_dir dir;
    const std::string file = dir.write("keys", "[half]\naws_access_key_id=one\n[none]\n");
    const std::string config = dir / "missing";
    const std::map<std::string, std::string> now = {{"AWS_SHARED_CREDENTIALS_FILE", file}, {"AWS_CONFIG_FILE", config}};
    const aws_environment set(now);
    CHECK(where_it_looked("") == "AWS_ACCESS_KEY_ID is not set; " + file + " has no profile 'default'; " + config +
                                     ": No such file or directory");
    CHECK_THAT(where_it_looked("half"),
               Catch::StartsWith("profile 'half' in " + file + " has no aws_secret_access_key; "));
    CHECK_THAT(where_it_looked("none"), Catch::StartsWith("profile 'none' in " + file + " has no keys; "));
    CHECK_FALSE(default_s3_credentials("", "half"));
}

TEST_CASE("nothing waits for a credentials file that is a FIFO", "[s3]") {
    const temp_dir dir;
    const std::string path = dir / "keys";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const aws_environment set({{"AWS_SHARED_CREDENTIALS_FILE", path}, {"AWS_CONFIG_FILE", path}});
    CHECK_FALSE(default_s3_credentials("", ""));
}

TEST_CASE("keys that cannot be sent have a flaw that is named", "[s3]") {
    CHECK(detail::flaw_of({"AKID", "secret/+=", "token"}).empty());
    CHECK(detail::flaw_of({"test:tester", "s", ""}).empty());
    CHECK_THAT(detail::flaw_of({"AKID\r", "s", ""}), Catch::StartsWith("the access key"));
    CHECK_THAT(detail::flaw_of({"AK/ID", "s", ""}), Catch::StartsWith("the access key"));
    CHECK_THAT(detail::flaw_of({"AKID", "s\r\n", ""}), Catch::StartsWith("the secret key"));
    CHECK_THAT(detail::flaw_of({"AKID", "s", "t\n"}), Catch::StartsWith("the session token"));
    CHECK(detail::flaw_of({"AKID", "", ""}) == "the secret key is empty");
}

}  // namespace waybill::test
