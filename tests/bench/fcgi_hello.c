/* The least a FastCGI program can do: every request is sent on. One of the limits in
 * bench_click.py. */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#define THREADS 256

static void *serve(void *socket)
{
	FCGX_Request r;

	FCGX_InitRequest(&r, *(int *)socket, 0);
	while (FCGX_Accept_r(&r) == 0) {
		FCGX_PutS("Status: 302 Found\r\nLocation: https://us02web.zoom.us/j/1\r\n"
			  "Content-Length: 0\r\n\r\n",
			  r.out);
		FCGX_Finish_r(&r);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	int socket;

	if (argc != 2)
		return EXIT_FAILURE;
	umask(0111);
	socket = FCGX_OpenSocket(argv[1], 4096);
	if (socket < 0 || FCGX_Init())
		return EXIT_FAILURE;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, serve, &socket))
			return EXIT_FAILURE;
	pthread_join(threads[0], NULL);
	return EXIT_SUCCESS;
}
