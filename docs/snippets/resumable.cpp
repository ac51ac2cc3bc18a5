// SPDX-License-Identifier: BSL-1.0
// The code of docs/guide/protocols.md about uploads that resume, compiled.

#include <waybill/waybill.hpp>

int main() {
    //[resumable
    waybill::job film("https://media.example.com/films");
    film.via(waybill::resumable{}.digest("sha-256")).file("film.mp4");

    waybill::job post("https://api.example.com/posts");
    post.via(waybill::resumable{}.as_form())  // a form handler's request, resumable in mid-body
        .field("caption", "Istanbul")
        .file("a.mp4")
        .file("b.mp4");

    waybill::job unsure("https://upload.example.com/in/");
    unsure.via(waybill::automatic{}).file("a.mp4");
    //]
}
