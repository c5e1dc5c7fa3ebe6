/*
 * A file of libcni's results cache, which others write. Input: the file. What is accepted must do
 * for sync: an owner that can be written into the kernel, and questions that can be asked.
 */
#include "fuzz.h"

#include "node/pods/cache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = fuzz_span(data, size);
    cleanup(free_memory) void *text = fuzz_rest(input);
    cleanup(cached_attachment) struct cached_attachment cached = {0};
    cleanup(questions) struct questions questions = {0};
    const struct attachment *attachment = &cached.attachment;
    struct error err;
    char tag[TAG_SIZE] = "";
    struct tag read;

    if (cache_parse((struct span){text, size}, &cached, &err) < 0)
        return 0;
    must(owner_fits(&attachment->owner));
    must(attachment->netns);
    tag_write(&attachment->owner, 1, attachment->pod.namespace, attachment->pod.name, tag);
    must(tag_parse(tag, &read) && owner_compare(&read.owner, &attachment->owner) == 0);
    must(plan_questions(attachment, &questions, &err) == 0);
    must(questions.pod_count > 0);
    for (size_t i = 0; i < questions.host_count; i++)
        must(name_is_interface(questions.host[i]));
    return 0;
}
