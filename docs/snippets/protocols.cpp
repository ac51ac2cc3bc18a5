// SPDX-License-Identifier: BSL-1.0
// The code of docs/guide/protocols.md, compiled.

#include <waybill/waybill.hpp>

#include <string>
#include <vector>

//[form_fields
waybill::job album(const std::vector<std::string>& photos) {
    waybill::job post("https://photos.example/albums");  // a Rails app
    post.via(waybill::multipart{}.file_field("photos[]")).field("album[title]", "Istanbul");
    for (const std::string& path : photos) {
        post.file(path);
    }
    return post;
}
//]

int main() {
    static_cast<void>(album({}));
}
