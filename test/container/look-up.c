/* An app without Node: what it was given, and what its own C library finds for a name. Ends by SIGTERM with 0. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void end(int signal)
{
	(void)signal;
	_exit(0);
}

int main(void)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;
	char address[INET_ADDRSTRLEN] = "none";
	const char *variable = getenv("WARP_IST_my_db"), *options = getenv("NODE_OPTIONS");

	signal(SIGTERM, end);
	if (getaddrinfo("my-db.warp", NULL, &hints, &found) == 0)
		inet_ntop(AF_INET, &((struct sockaddr_in *)found->ai_addr)->sin_addr, address,
			  sizeof address);
	printf("{\"address\": \"%s\", \"variable\": \"%s\", \"uid\": %d, \"options\": \"%s\"}\n", address,
	       variable == NULL ? "" : variable, (int)getuid(), options == NULL ? "" : options);
	fflush(stdout);
	for (;;)
		pause();
}
